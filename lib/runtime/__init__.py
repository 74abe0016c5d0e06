"""Raw rows in, predictions out: schema, derived columns, encoders, models, and the pipeline of them.

This package is stored with every model, beside the problem's `serving` half, and runs there under a name of
its own: it imports nothing else of this project, and itself only relatively.
"""
