"""Comparison of the model's single firms with stylised facts and published estimates."""
