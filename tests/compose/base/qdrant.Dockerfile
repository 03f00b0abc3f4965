# Stands in for qdrant/qdrant: a Qdrant that was built on this machine.
ARG DEBIAN
FROM ${DEBIAN}
RUN apt-get update && apt-get install -y --no-install-recommends libstdc++6 libunwind8 && rm -rf /var/lib/apt/lists/*
WORKDIR /qdrant
COPY qdrant /qdrant/qdrant
RUN mkdir -p /qdrant/storage /qdrant/snapshots
ENV RUN_MODE=production QDRANT__SERVICE__HOST=0.0.0.0
EXPOSE 6333 6334
CMD ["/qdrant/qdrant"]
