"""The models: `registry` lists them, each has a file of its own, `base` says what a model is.

Nothing here imports torch but the files of models themselves.
"""
