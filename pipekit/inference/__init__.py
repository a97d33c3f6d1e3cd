"""A pipeline file proposed from what files hold. ``infer`` is the entry; nothing else in pipekit needs this package."""
