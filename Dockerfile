# One image for the gateway and every part of Airflow: exactly the locked packages, nothing from anywhere else.
FROM python:3.12-slim AS build
WORKDIR /build
COPY requirements-setup.txt requirements.txt ./
RUN python -m pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements-setup.txt \
    && uv venv --python /usr/local/bin/python /opt/exchange \
    && uv pip install --no-cache --python /opt/exchange --require-hashes --compile-bytecode -r requirements.txt
COPY pyproject.toml README.md LICENSE ./
COPY include/partner_exchange include/partner_exchange
RUN python -m hatchling build --target wheel \
    && uv pip install --no-cache --python /opt/exchange --no-deps --compile-bytecode dist/*.whl

FROM python:3.12-slim
# A volume takes over the owner of the folder it is laid over.
RUN useradd --uid 10001 --create-home exchange \
    && mkdir -p /exchange/homes /exchange/gateway /exchange/storage /airflow/logs /airflow/ui \
    && chown -R exchange:exchange /exchange /airflow
COPY --from=build /opt/exchange /opt/exchange
COPY dags /app/dags
COPY plugins /app/plugins
COPY include/tenants /app/include/tenants
COPY docker/init.sh docker/shared.py /app/docker/
ENV PATH=/opt/exchange/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    TZ=UTC \
    EXCHANGE_HOME=/exchange \
    EXCHANGE_TENANTS_DIR=/app/include/tenants \
    EXCHANGE_DAGS_DIR=/app/dags \
    AIRFLOW_HOME=/airflow \
    AIRFLOW__CORE__DAGS_FOLDER=/app/dags \
    AIRFLOW__CORE__PLUGINS_FOLDER=/app/plugins \
    GX_ANALYTICS_ENABLED=false
WORKDIR /exchange
USER exchange
EXPOSE 2222 8080
CMD ["exchange", "--help"]
