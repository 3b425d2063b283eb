# Every rule's software in one image, from the lock. docs/cluster.md says how to use it.
#   docker build -t cisgrammar .
FROM python:3.11.14-slim-bookworm AS build
# a compiler for annoy, which bbknn needs
RUN apt-get update \
    && apt-get install -y --no-install-recommends g++=4:12.2.0-3 \
    && rm -rf /var/lib/apt/lists/*
COPY requirements.lock /tmp/requirements.lock
# torch first and alone: the lock's other packages are built against what it brings
RUN python -m venv /opt/cisgrammar \
    && /opt/cisgrammar/bin/pip install --no-cache-dir \
        "torch==$(sed -n 's/^torch==//p' /tmp/requirements.lock)" \
    && /opt/cisgrammar/bin/pip install --no-cache-dir -r /tmp/requirements.lock

FROM python:3.11.14-slim-bookworm
RUN apt-get update \
    && apt-get install -y --no-install-recommends bedtools=2.30.0+dfsg-3 git=1:2.39.* \
    && rm -rf /var/lib/apt/lists/*
COPY --from=build /opt/cisgrammar /opt/cisgrammar
ENV PATH=/opt/cisgrammar/bin:$PATH
WORKDIR /work
CMD ["snakemake", "--help"]
