# Stands in for rust:…-slim-bookworm: this machine's toolchain on Debian.
ARG DEBIAN
FROM ${DEBIAN}
# The folder has the name that it has on this machine as well, so that what was compiled here counts as compiled there.
ENV CARGO_HOME=/root/.cargo PATH=/usr/local/cargo/bin:/usr/local/rust/bin:$PATH \
    SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt CARGO_HTTP_CAINFO=/etc/ssl/certs/ca-certificates.crt
RUN apt-get update && apt-get install -y --no-install-recommends gcc libc6-dev && rm -rf /var/lib/apt/lists/*
RUN mkdir -p /root/.cargo && ln -s /root/.cargo /usr/local/cargo
COPY bin /usr/local/rust/bin
COPY lib /usr/local/rust/lib
