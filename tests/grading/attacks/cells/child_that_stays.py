"""Fork twice, leave the session, and stay as a daemon that nobody waits for."""

import os
import time

try:
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            open("/tmp" + "/llmcourse-attack-left-this", "w").close()
            time.sleep(3600)
        os._exit(0)
except OSError as error:
    print(error)
