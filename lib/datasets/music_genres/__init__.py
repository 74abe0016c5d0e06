"""Songs and their genres: `serving` is stored with a model, `training` is not."""
