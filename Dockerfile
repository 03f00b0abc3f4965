# Anwen's images, one target each: web, knowledge, search-proxy, model-runtime, standalone, and nginx with its settings.
#
#   docker build --target standalone -t anwen/standalone .
#
# Needs Debian, crates.io and npm, and nothing else. What is built from is named by the arguments below: pin them by digest
# (`--build-arg DEBIAN_IMAGE=debian:bookworm-slim@sha256:…`) for a build that can be repeated, or name copies of your own.
# Programs stand on a root folder that `docker/collect-root` gathers from Debian's packages: the libraries that they load and
# nothing else, no shell among it. docs/deployment.md says more.

ARG DEBIAN_IMAGE=debian:bookworm-slim
ARG RUST_IMAGE=rust:1.95-slim-bookworm
ARG NODE_IMAGE=node:20-bookworm-slim
# Where the libraries come from that programs load; with CUDA an image of NVIDIA's.
ARG PACKAGES_IMAGE=${DEBIAN_IMAGE}
# Where nginx comes from: Debian's package on DEBIAN_IMAGE, or an image that has it (`nginx:1.28-bookworm`: HTTP/3 too).
ARG NGINX_IMAGE=debian:bookworm-slim
# Where the programs come from: the stage below, or an image with the folder /out that was made of that stage before.
ARG PROGRAMS_IMAGE=programs

# --- The browser application -------------------------------------------------------------------------------------------

FROM ${NODE_IMAGE} AS ui
WORKDIR /src/services/web/ui
COPY services/web/ui/package.json services/web/ui/package-lock.json ./
ENV npm_config_cache=/var/cache/npm
RUN --mount=type=cache,id=anwen-npm,target=/var/cache/npm npm ci --no-audit --no-fund --loglevel=error
COPY services/web/openapi.json ../openapi.json
COPY services/web/ui ./
# gzip does not know dates (-n), so that the same sources give the same bytes.
RUN npm run --silent build \
 && find dist -type f -size +1k \( -name '*.js' -o -name '*.css' -o -name '*.svg' -o -name '*.html' -o -name '*.json' -o -name '*.wasm' \) \
      -exec gzip -9 -n -k {} +

# --- The programs ------------------------------------------------------------------------------------------------------

FROM ${RUST_IMAGE} AS toolchain
RUN apt-get update && apt-get install -y --no-install-recommends cmake clang g++ git libclang-dev make \
 && rm -rf /var/lib/apt/lists/*
# One target directory for every program and feature; it lives in a cache, so that a later build compiles what has changed.
ENV CARGO_TARGET_DIR=/target CARGO_INCREMENTAL=0 CARGO_TERM_COLOR=never
ARG CARGO_CHEF_VERSION=0.1.78
RUN --mount=type=cache,id=anwen-cargo,target=/usr/local/cargo/registry \
    CARGO_TARGET_DIR=/tmp/chef cargo install --debug --locked --root /usr/local "cargo-chef@${CARGO_CHEF_VERSION}" && rm -rf /tmp/chef
WORKDIR /src

FROM toolchain AS recipe
COPY . .
RUN cargo chef prepare --recipe-path recipe.json

FROM toolchain AS programs
# `release`, or `dev` for a quick look.
ARG PROFILE=release
# Of anwen-model-runtime; `cuda` needs NVIDIA's toolkit in RUST_IMAGE.
ARG MODEL_FEATURES=
ARG CARGO_BUILD_JOBS
# Optimising across crates would be done five times, once for each program, and takes longer than everything else.
ENV CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16
ARG PROGRAMS="--bin anwen --bin anwen-web --bin anwen-knowledge --bin anwen-search-proxy --bin anwen-model-runtime"
COPY .cargo .cargo
COPY scripts/llama scripts/llama
COPY --from=recipe /src/recipe.json .
# Everything that is not ours: this layer changes with Cargo.lock and the manifests only. Where its result is taken from a
# registry's cache without the target directory, the next step compiles what it misses.
RUN --mount=type=cache,id=anwen-cargo,target=/usr/local/cargo/registry --mount=type=cache,id=anwen-target,target=/target \
    cargo chef cook --workspace $PROGRAMS --locked --profile "$PROFILE" \
      ${MODEL_FEATURES:+--features "anwen-model-runtime/$MODEL_FEATURES"} --recipe-path recipe.json
COPY . .
COPY --from=ui /src/services/web/ui/dist services/web/ui/dist
ARG VERSION=0.1.0
ARG REVISION=unknown
# cargo compares times, and those of a checkout may be older than what a cache holds: our own crates are always compiled.
RUN --mount=type=cache,id=anwen-cargo,target=/usr/local/cargo/registry --mount=type=cache,id=anwen-target,target=/target \
    find Cargo.toml crates services tests migrations samples -type f -exec touch {} + \
 && cargo build --workspace $PROGRAMS --locked --profile "$PROFILE" \
      ${MODEL_FEATURES:+--features "anwen-model-runtime/$MODEL_FEATURES"} \
 && docker/collect-programs "$PROFILE" /out

FROM ${PROGRAMS_IMAGE} AS built

# --- What they stand on ------------------------------------------------------------------------------------------------

FROM ${PACKAGES_IMAGE} AS packages
RUN apt-get update && apt-get install -y --no-install-recommends \
      ca-certificates libgcc-s1 libgomp1 libstdc++6 tzdata \
      tesseract-ocr tesseract-ocr-chi-sim tesseract-ocr-chi-tra tesseract-ocr-eng tesseract-ocr-osd \
 && rm -rf /var/lib/apt/lists/*
COPY docker/collect-root /usr/local/bin/

FROM packages AS root-web
COPY --from=built /out/web /collect
RUN collect-root /root-fs /collect

FROM packages AS root-search-proxy
COPY --from=built /out/search-proxy /collect
RUN collect-root /root-fs /collect

FROM packages AS root-model-runtime
COPY --from=built /out/model-runtime /collect
COPY models/embedding /collect/usr/share/anwen/models/embedding
RUN collect-root /root-fs /collect

FROM packages AS root-knowledge
COPY --from=built /out/knowledge /collect
# By which passages are measured.
COPY models/embedding/tokenizer.json /collect/usr/share/anwen/models/embedding/
RUN collect-root /root-fs /collect tesseract-ocr tesseract-ocr-chi-sim tesseract-ocr-chi-tra tesseract-ocr-eng tesseract-ocr-osd

FROM packages AS root-standalone
COPY --from=built /out/standalone /collect
COPY models/embedding /collect/usr/share/anwen/models/embedding
RUN collect-root /root-fs /collect tesseract-ocr tesseract-ocr-chi-sim tesseract-ocr-chi-tra tesseract-ocr-eng tesseract-ocr-osd

# --- The images --------------------------------------------------------------------------------------------------------

# What all of them have in common. 10001 owns /data; the root may be mounted read-only, with a tmpfs at /tmp.
FROM scratch AS base
ARG VERSION=0.1.0
ARG REVISION=unknown
ARG SOURCE_URL=
LABEL org.opencontainers.image.vendor="Anwen" org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.source="${SOURCE_URL}"
ENV PATH=/usr/bin LANG=C.UTF-8 SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt \
    ANWEN__SERVER__DATA_DIR=/data
USER 10001:10001
WORKDIR /data
STOPSIGNAL SIGTERM

FROM base AS web
LABEL org.opencontainers.image.title="anwen-web"
COPY --from=root-web /root-fs /
ENV ANWEN__WEB__LISTEN=0.0.0.0:8080
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 CMD ["anwen-web", "healthcheck"]
ENTRYPOINT ["anwen-web"]
CMD ["serve"]

FROM base AS search-proxy
LABEL org.opencontainers.image.title="anwen-search-proxy"
COPY --from=root-search-proxy /root-fs /
ENV ANWEN__SEARCH_PROXY__LISTEN=0.0.0.0:8082
EXPOSE 8082
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 CMD ["anwen-search-proxy", "healthcheck"]
ENTRYPOINT ["anwen-search-proxy"]
CMD ["serve"]

FROM base AS model-runtime
LABEL org.opencontainers.image.title="anwen-model-runtime"
COPY --from=root-model-runtime /root-fs /
ENV ANWEN__MODEL_RUNTIME__LISTEN=0.0.0.0:11434 \
    ANWEN__SERVER__MODELS_DIR=/models ANWEN__SERVER__BUNDLED_MODELS_DIR=/usr/share/anwen/models
EXPOSE 11434
VOLUME ["/models"]
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 CMD ["anwen-model-runtime", "healthcheck"]
ENTRYPOINT ["anwen-model-runtime"]
CMD ["serve"]

FROM base AS knowledge
LABEL org.opencontainers.image.title="anwen-knowledge"
COPY --from=root-knowledge /root-fs /
ENV ANWEN__KNOWLEDGE__LISTEN=0.0.0.0:8081 ANWEN__SERVER__MODELS_DIR=/usr/share/anwen/models
EXPOSE 8081
VOLUME ["/data"]
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 CMD ["anwen-knowledge", "healthcheck"]
ENTRYPOINT ["anwen-knowledge"]
CMD ["serve"]

FROM base AS standalone
LABEL org.opencontainers.image.title="anwen-standalone"
COPY --from=root-standalone /root-fs /
ENV ANWEN__WEB__LISTEN=0.0.0.0:8080 \
    ANWEN__SERVER__MODELS_DIR=/models ANWEN__SERVER__BUNDLED_MODELS_DIR=/usr/share/anwen/models
EXPOSE 8080
VOLUME ["/data", "/models"]
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 CMD ["anwen", "healthcheck"]
ENTRYPOINT ["anwen"]
CMD ["serve"]

FROM ${NGINX_IMAGE} AS nginx
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="anwen-nginx" org.opencontainers.image.vendor="Anwen" \
      org.opencontainers.image.version="${VERSION}" org.opencontainers.image.revision="${REVISION}"
RUN { command -v nginx && command -v openssl; } >/dev/null \
 || { apt-get update && apt-get install -y --no-install-recommends nginx-light openssl && rm -rf /var/lib/apt/lists/*; }
COPY nginx /etc/anwen/nginx
COPY docker/prepare /etc/anwen/prepare
RUN install -d -o 10001 -g 10001 -m 0700 /secrets /tls && install -d -o 10001 -g 10001 -m 0755 /database-password /acme
COPY --from=ui /src/services/web/ui/dist/assets /usr/share/anwen/ui/assets
USER 10001:10001
EXPOSE 8080 8443
STOPSIGNAL SIGQUIT
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 CMD ["/etc/anwen/nginx/start", "healthcheck"]
ENTRYPOINT ["/etc/anwen/nginx/start"]
