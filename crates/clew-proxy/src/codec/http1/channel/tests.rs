use super::*;
use std::cell::Cell;
use tokio::io::AsyncReadExt as _;
use tokio::net::{TcpListener, TcpStream};

/// A body that has always more.
struct Endless(Rc<Cell<usize>>);

const PIECE: usize = 32 * 1024;

impl Body for Endless {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        self.0.set(self.0.get() + PIECE);
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(&[b'x'; PIECE])))))
    }
}

impl OutgoingBody for Endless {}

/// 1. Who sends as fast as the other side reads never had to wait, and the thread did nothing else for megabytes.
/// 2. Now it goes on when the others had their turn.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_that_never_pauses_lets_others_run() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let mut other = listener.accept().await.unwrap().0;
        let mut place = vec![0; 1024 * 1024];
        while other.read(&mut place).await.is_ok_and(|read| read > 0) {}
    });
    let io = Io::tcp(TcpStream::connect(address).await.unwrap());
    // The body stays on this thread, as all of the codec does.
    tokio::task::LocalSet::new()
        .run_until(async move {
            let channel = Channel::shared(io);
            let taken = Rc::new(Cell::new(0));
            let mut sending = Sending::new(Endless(Rc::clone(&taken)), Framing::Chunked);
            for turn in 1..=20 {
                let before = taken.get();
                let mut is_over = false;
                std::future::poll_fn(|cx| {
                    if std::mem::replace(&mut is_over, true) {
                        return Poll::Ready(());
                    }
                    assert!(sending.poll(&channel, cx).is_pending());
                    cx.waker().wake_by_ref();
                    Poll::Pending
                })
                .await;
                let bytes = taken.get() - before;
                assert!(bytes <= 512 * 1024, "{bytes} in turn {turn}");
            }
            assert!(taken.get() > 0);
        })
        .await;
}
