"""``python -m dcgan_utils``: hands over to the command line in the room ``cli``."""

import sys

from .cli.parser import main
from .training.launcher import in_job

if __name__ == "__main__":
    code = main()
    if in_job():
        from .training.workers import leave_job

        leave_job(code)
    sys.exit(code)
