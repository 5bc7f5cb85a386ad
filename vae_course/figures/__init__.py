"""The course's pictures. Each function returns a ``Picture``: a figure, and one line that says in words what it shows."""
