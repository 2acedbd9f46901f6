"""What the stages found of one message beyond its JSON: see Worker.facts. Nothing here is called from Python."""
