"""How kernels are compiled and cached, their random draws and elementary functions."""
