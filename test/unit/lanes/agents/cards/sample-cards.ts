import type { JsonObject } from '../../../../../src/core/json.ts';

/** A card of 1.0 with all that the specification has, and fields that it has not. */
export const CARD_10: JsonObject = {
  name: 'Routes',
  description: 'Plans routes.',
  supportedInterfaces: [
    { url: 'https://agent.internal:8443/base/a2a', protocolBinding: 'JSONRPC', protocolVersion: '1.0', tenant: 'blue' },
    { url: 'https://agent.internal:8443/base/rest', protocolBinding: 'HTTP+JSON', protocolVersion: '1.0' },
    { url: 'https://agent.internal:8443/base/a2a', protocolBinding: 'JSONRPC', protocolVersion: '0.3' },
    { url: 'https://agent.internal:8443/base/rest', protocolBinding: 'HTTP+JSON', protocolVersion: '0.3' },
    { url: 'agent.internal:50051', protocolBinding: 'GRPC', protocolVersion: '1.0' },
  ],
  provider: { organization: 'Geo', url: 'https://geo.example' },
  version: '1.2.0',
  documentationUrl: 'https://docs.geo.example/routes',
  iconUrl: 'https://geo.example/icon.png',
  capabilities: {
    streaming: true,
    pushNotifications: false,
    extendedAgentCard: true,
    extensions: [
      {
        uri: 'https://geo.example/ext/traffic',
        description: 'Traffic',
        required: true,
        params: { regions: ['eu', 3], deep: { on: false } },
      },
    ],
    stateTransitionHistory: true,
  },
  securitySchemes: {
    key: { apiKeySecurityScheme: { location: 'header', name: 'X-Key', description: 'A key' } },
    token: { httpAuthSecurityScheme: { scheme: 'bearer', bearerFormat: 'JWT' } },
    login: { openIdConnectSecurityScheme: { openIdConnectUrl: 'https://login.geo.example' } },
    grant: {
      oauth2SecurityScheme: {
        flows: { clientCredentials: { tokenUrl: 'https://login.geo.example/token', scopes: { plan: 'Plans' } } },
        oauth2MetadataUrl: 'https://login.geo.example/meta',
      },
    },
    wire: { mtlsSecurityScheme: { description: 'Certificates' } },
  },
  securityRequirements: [{ schemes: { key: { list: [] }, grant: { list: ['plan'] } } }],
  defaultInputModes: ['text/plain'],
  defaultOutputModes: ['text/plain', 'application/json'],
  skills: [
    {
      id: 'plan',
      name: 'Plan',
      description: 'Plans a route – “schnell”.',
      tags: ['maps'],
      examples: ['A to B'],
      inputModes: ['text/plain'],
      outputModes: ['text/plain'],
      securityRequirements: [{ schemes: { token: { list: ['x'] } } }],
      vendorNote: 1,
    },
    { id: 'draw', name: 'Draw', description: 'Draws.', tags: [] },
  ],
  vendor: { kept: ['yes', 1] },
};

/** The same agent in the words of 0.3. */
export const CARD_03: JsonObject = {
  name: 'Routes',
  description: 'Plans routes.',
  protocolVersion: '0.3.0',
  url: 'https://agent.internal:8443/base/a2a',
  preferredTransport: 'JSONRPC',
  additionalInterfaces: [{ url: 'https://agent.internal:8443/base/rest', transport: 'HTTP+JSON' }],
  provider: { organization: 'Geo', url: 'https://geo.example' },
  version: '1.2.0',
  documentationUrl: 'https://docs.geo.example/routes',
  iconUrl: 'https://geo.example/icon.png',
  capabilities: {
    streaming: true,
    pushNotifications: true,
    stateTransitionHistory: false,
    extensions: [{ uri: 'https://geo.example/ext', required: true }],
  },
  supportsAuthenticatedExtendedCard: true,
  securitySchemes: {
    key: { type: 'apiKey', in: 'header', name: 'X-Key' },
    token: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' },
    login: { type: 'openIdConnect', openIdConnectUrl: 'https://login.geo.example' },
    grant: {
      type: 'oauth2',
      flows: {
        authorizationCode: {
          authorizationUrl: 'https://login.geo.example/a',
          tokenUrl: 'https://login.geo.example/t',
          scopes: { plan: 'Plans' },
        },
      },
    },
    wire: { type: 'mutualTLS' },
  },
  security: [{ key: [], grant: ['plan'] }],
  defaultInputModes: ['text/plain'],
  defaultOutputModes: ['text/plain'],
  skills: [
    { id: 'plan', name: 'Plan', description: 'Plans.', tags: ['maps'], examples: ['A to B'], security: [{ token: ['x'] }], vendorNote: 1 },
    { id: 'draw', name: 'Draw', description: 'Draws.', tags: [] },
  ],
  vendor: { kept: ['yes', 1] },
};
