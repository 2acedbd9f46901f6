"""User messages of SCTP in parts; the rules stand in fragments.pyi."""
