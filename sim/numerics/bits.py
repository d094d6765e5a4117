"""Comparisons of many values at once, as the bits of a number.

The compiler makes no such number of a loop; asked for it directly, processors have instructions for it.
"""

from __future__ import annotations

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic, overload

#: Values that are compared at once.
STRIDE = 32


def differing(values, start, value):
    """Bit k, int64, tells whether ``values[start + k]`` differs from `value`; of STRIDE values, which must exist."""
    return sum(1 << int(k) for k in np.flatnonzero(values[start : start + STRIDE] != value))


def lowest_bit(bits):
    """Place of the lowest bit that is set in an int64; 0 is not allowed."""
    return (int(bits) & -int(bits)).bit_length() - 1


@intrinsic
def _differing(typing_context, values, start, value):
    def generate(context, builder, signature, arguments):
        kind = signature.args[0].dtype
        element, vector = context.get_data_type(kind), ir.VectorType(context.get_data_type(kind), STRIDE)
        array = context.make_array(signature.args[0])(context, builder, arguments[0])
        pointer = builder.bitcast(builder.gep(array.data, [arguments[1]]), vector.as_pointer())
        seen = builder.load(pointer, align=context.get_abi_sizeof(element))
        one = builder.insert_element(ir.Constant(vector, ir.Undefined), arguments[2], ir.Constant(ir.IntType(32), 0))
        places = ir.Constant(ir.VectorType(ir.IntType(32), STRIDE), [0] * STRIDE)
        all_alike = builder.shuffle_vector(one, ir.Constant(vector, ir.Undefined), places)
        compare = builder.fcmp_unordered if isinstance(kind, types.Float) else builder.icmp_unsigned
        bits = builder.bitcast(compare("!=", seen, all_alike), ir.IntType(STRIDE))
        return builder.zext(bits, context.get_value_type(types.int64))

    return types.int64(values, types.int64, values.dtype), generate


@intrinsic
def _lowest_bit(typing_context, bits):
    def generate(context, builder, signature, arguments):
        return builder.cttz(arguments[0], context.get_constant(types.boolean, True))

    return types.int64(types.int64), generate


@overload(differing, inline="always")
def _compile_differing(values, start, value):
    return lambda values, start, value: _differing(values, start, value)


@overload(lowest_bit, inline="always")
def _compile_lowest_bit(bits):
    return lambda bits: _lowest_bit(bits)
