"""For all tests: Ctrl-C reaches the commands that tests start, also where this run itself is in the background."""

import signal

# A shell starts background jobs with SIGINT ignored, and a child inherits that; a handler is not inherited.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
