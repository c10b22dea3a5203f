# One image, three roles by argv: gateway, subgraphs, simulators.
#   docker build -t jinxin . && docker run --rm jinxin gateway --help
FROM node:20.19-bookworm-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev && npm cache clean --force

FROM node:20.19-bookworm-slim
ENV NODE_ENV=production
WORKDIR /app
COPY --from=dependencies /app/node_modules node_modules
COPY package.json tsconfig.json ./
COPY docker/role.sh docker/health.mjs docker/
COPY schema schema
COPY adapters adapters
COPY gateway gateway
COPY subgraphs subgraphs
COPY simulators simulators
# A volume that is mounted here takes over the owner.
RUN mkdir /settings /audit && chown node:node /settings /audit
USER node
EXPOSE 4000 4001
# What is asked depends on the role: docker-compose.yml sets JINXIN_HEALTH_URL for each.
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=5 CMD ["node", "docker/health.mjs"]
ENTRYPOINT ["bash", "docker/role.sh"]
CMD ["gateway", "--supergraph", "schema/supergraph.graphql", "--catalogue", "schema/catalogue.json", "--listen", "0.0.0.0:4000"]
