"""The usual collector: pickled records over TCP, a file for each service and one for errors."""

import logging
import logging.handlers
import pickle
import socketserver
import struct
import sys
from pathlib import Path


class Receiver(socketserver.StreamRequestHandler):
    """Reads the records of one connection."""

    def handle(self) -> None:
        """Hand each to the logger of its service."""
        while size := self.rfile.read(4):
            data = self.rfile.read(struct.unpack(">L", size)[0])
            record = logging.makeLogRecord(pickle.loads(data))  # noqa: S301 - what SocketHandler sends
            logging.getLogger(record.name.partition(".")[0]).handle(record)


def main() -> None:
    """Listen on the port, and write into the folder, that the arguments name."""
    port, folder = int(sys.argv[1]), Path(sys.argv[2])
    errors = logging.FileHandler(folder / "errors.log")
    errors.setLevel(logging.ERROR)
    logging.getLogger("my_app").addHandler(logging.FileHandler(folder / "my_app.log"))
    logging.getLogger("my_app").addHandler(errors)
    with socketserver.ThreadingTCPServer(("127.0.0.1", port), Receiver) as server:
        print("listening", flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main()
