"""What Python's own http.server leaves to whoever uses it: the body of a request, by its length or in chunks."""

MOST = 1024 * 1024


class Reads:
    def pieces(self):
        """The body of the request."""
        if "chunked" not in self.headers.get("Transfer-Encoding", ""):
            yield from self.read(int(self.headers.get("Content-Length", 0)))
            return
        while length := int(self.rfile.readline().split(b";")[0], 16):
            yield from self.read(length)
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass

    def read(self, left):
        while left > 0:
            piece = self.rfile.read(min(left, MOST))
            if not piece:
                raise ConnectionError("the body has ended too early")
            left -= len(piece)
            yield piece
