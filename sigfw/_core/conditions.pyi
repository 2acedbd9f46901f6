"""Fields and checks of every rule over a message: see conditions.pxd. Nothing here is called from Python."""
