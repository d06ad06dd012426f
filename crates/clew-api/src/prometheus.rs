//! Prometheus exposition as protobuf (`io.prometheus.client`), as proxies write it and observe reads it.
