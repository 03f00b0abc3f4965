# Stands in for rust:…-slim-bookworm: this machine's toolchain on Debian.
ARG DEBIAN
FROM ${DEBIAN}
# The folder has the name that it has on this machine as well, so that what was compiled here counts as compiled there.
ARG CARGO_FOLDER=/usr/local/cargo
ENV CARGO_HOME=${CARGO_FOLDER} PATH=/usr/local/cargo/bin:/usr/local/rust/bin:$PATH \
    SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt CARGO_HTTP_CAINFO=/etc/ssl/certs/ca-certificates.crt
RUN apt-get update && apt-get install -y --no-install-recommends gcc libc6-dev && rm -rf /var/lib/apt/lists/*
RUN mkdir -p "${CARGO_FOLDER}" && { [ -d /usr/local/cargo ] || ln -s "${CARGO_FOLDER}" /usr/local/cargo; }
COPY bin /usr/local/rust/bin
COPY lib /usr/local/rust/lib
