"""Development environment in ``.devenv``, and the commands that use it."""
