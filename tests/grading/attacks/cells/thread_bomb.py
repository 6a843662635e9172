"""Start threads for as long as the machine lets it."""

import threading
import time

threading.stack_size(32768)
try:
    for _ in range(5000):
        threading.Thread(target=time.sleep, args=(1000,), daemon=True).start()
except Exception as error:
    print(threading.active_count(), error)
