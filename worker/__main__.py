"""`python -m worker` is `rayline`."""

from worker.cli import main

if __name__ == "__main__":
    main()
