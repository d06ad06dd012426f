//! Tokens in the metadata of gRPC calls, as HTTP has them: `authorization: Bearer TOKEN` (RFC 6750).

use tonic::Status;
use tonic::metadata::MetadataMap;

const NAME: &str = "authorization";
const SCHEME: &str = "Bearer ";

/// Adds a token to a call.
pub(crate) fn put(metadata: &mut MetadataMap, token: &str) -> Result<(), Status> {
    let value = format!("{SCHEME}{}", token.trim_end());
    let value = value
        .parse()
        .map_err(|_| Status::unauthenticated("the token cannot be written in a header"))?;
    metadata.insert(NAME, value);
    Ok(())
}

/// The token of a call.
pub fn token(metadata: &MetadataMap) -> Option<&str> {
    let value = metadata.get(NAME)?.to_str().ok()?;
    let (scheme, token) = value.split_at_checked(SCHEME.len())?;
    scheme.eq_ignore_ascii_case(SCHEME).then_some(token.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_comes_as_it_went() {
        let mut metadata = MetadataMap::new();
        assert_eq!(token(&metadata), None);
        put(&mut metadata, "a.b\n").unwrap();
        assert_eq!(token(&metadata), Some("a.b"));
        metadata.insert(NAME, "bearer c".parse().unwrap());
        assert_eq!(token(&metadata), Some("c"));
        metadata.insert(NAME, "Basic c".parse().unwrap());
        assert_eq!(token(&metadata), None);
        assert!(put(&mut metadata, "two\nlines").is_err());
    }
}
