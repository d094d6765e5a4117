"""Single firms of the model held against stylised facts and published estimates."""
