//! JSON shapes of `/api/v1`, as observe writes them and the CLI reads them.
