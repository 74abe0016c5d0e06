"""Short-term rentals in New York: `serving` is stored with a model, `training` is not."""
