"""python -m sigfw: the command line."""

from sigfw.cli import main

if __name__ == "__main__":
    main()
