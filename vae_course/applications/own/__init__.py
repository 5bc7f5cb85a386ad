"""Models of a text of one's own: trained from a file, kept in a folder, and used on other texts.

``folder``: what a model folder holds, written whole and read with care. ``sides``: how a text is cut, kept beside its model.
``task``: from a file to a folder, whatever the application. Each of these is a module of its own: ``translate``.
"""
