# The collector's own image holds nothing but the collector, so nothing in it could ask whether it is well.
FROM busybox:1.36.1-musl AS probe

FROM otel/opentelemetry-collector:0.111.0
COPY --from=probe /bin/busybox /bin/wget
