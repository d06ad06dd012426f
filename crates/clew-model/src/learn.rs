//! Learned routes: templates from paths, without configuration.
