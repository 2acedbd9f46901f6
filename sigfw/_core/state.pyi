"""The checks on state over a Group: nothing here is called from Python (sigfw/_core/state.pxd)."""
