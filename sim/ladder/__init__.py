"""The ladder: criteria as data, application, selection, review and fall-back."""
