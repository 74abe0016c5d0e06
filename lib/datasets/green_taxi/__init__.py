"""Green taxi trips of New York: `serving` is stored with a model, `training` is not."""
