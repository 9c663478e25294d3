# Three stages: the console built with the development packages, packages without those, then an image that holds
# nothing else and runs as nobody special.
FROM node:24-slim AS console
WORKDIR /app
COPY package.json package-lock.json tsconfig.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY tools ./tools
COPY openapi.yaml ./
COPY src/console ./src/console
RUN node tools/build-console.ts

FROM node:24-slim AS packages
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund

FROM node:24-slim
ENV NODE_ENV=production HOST=0.0.0.0 PORT=8080 DATA_DIR=/data
WORKDIR /app
COPY --from=packages /app/node_modules ./node_modules
COPY LICENSE package.json openapi.yaml ./
COPY migrations ./migrations
COPY src ./src
COPY --from=console /app/dist ./dist
RUN rm -rf src/demo src/console && mkdir /data && chown node:node /data
USER node
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/healthz`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
# A small young generation: it bounds the memory of a sync of any size for a few percent of its time.
CMD ["node", "--disable-proto=delete", "--max-semi-space-size=8", "--heap-growing-percent=100", "src/main.ts"]
