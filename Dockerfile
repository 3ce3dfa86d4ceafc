# The lokikit command and the demo: what the demo's services run in, here and on a cluster.
#
#   docker build --tag lokikit .
#   docker buildx build --platform linux/amd64,linux/arm64 --tag lokikit .
#
# Every version is pinned: the base by its tag, the packages by version and hash.

ARG REGISTRY=docker.io
ARG PYTHON_VERSION=3.14.8

FROM ${REGISTRY}/library/python:${PYTHON_VERSION}-slim-trixie AS build
ARG PIP_INDEX_URL
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /opt/lokikit
COPY deploy/compose/requirements.txt /src/requirements.txt
RUN /opt/lokikit/bin/python -m pip install --require-hashes --requirement /src/requirements.txt
COPY . /src
RUN /opt/lokikit/bin/python -m pip install --no-deps --no-build-isolation --no-index /src/pylib

FROM ${REGISTRY}/library/python:${PYTHON_VERSION}-slim-trixie
COPY --from=build /opt/lokikit /opt/lokikit
COPY deploy/demo /opt/demo
ENV PATH=/opt/lokikit/bin:$PATH PYTHONDONTWRITEBYTECODE=1 HOME=/tmp
USER 10001:10001
ENTRYPOINT ["lokikit"]
CMD ["--help"]
