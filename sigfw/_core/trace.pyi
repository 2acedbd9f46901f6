"""Every rule tried on a message: see Worker.trace and Worker.facts. Nothing here is called from Python."""
