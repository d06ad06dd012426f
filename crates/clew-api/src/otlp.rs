//! OTLP: the trace collector service, and its spans as ours.
