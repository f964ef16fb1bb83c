/** What one value of a card is: text, true or false, any JSON, or something made of such. */
export type Shape = 'text' | 'flag' | 'open' | { readonly list: Shape } | { readonly map: Shape } | RecordShape;

export interface RecordShape {
  readonly fields: Readonly<Record<string, Field>>;
}

export interface Field {
  readonly shape: Shape;
  /** As in a2a.proto: `required` fields stay in the canonical form whatever they hold, `optional` ones wherever they are set, others only if not empty. */
  readonly presence: 'required' | 'optional' | 'implicit';
}

const required = (shape: Shape): Field => ({ shape, presence: 'required' });
const optional = (shape: Shape): Field => ({ shape, presence: 'optional' });
const implicit = (shape: Shape): Field => ({ shape, presence: 'implicit' });
const texts: Shape = { list: 'text' };
const requirements: Shape = { list: { fields: { schemes: implicit({ map: { fields: { list: implicit(texts) } } }) } } };
const message = (fields: RecordShape['fields']): Field => optional({ fields });

const scopes = required({ map: 'text' });
const FLOWS: Shape = {
  fields: {
    authorizationCode: message({
      authorizationUrl: required('text'),
      tokenUrl: required('text'),
      refreshUrl: implicit('text'),
      scopes,
      pkceRequired: implicit('flag'),
    }),
    clientCredentials: message({ tokenUrl: required('text'), refreshUrl: implicit('text'), scopes }),
    implicit: message({ authorizationUrl: implicit('text'), refreshUrl: implicit('text'), scopes: implicit({ map: 'text' }) }),
    password: message({ tokenUrl: implicit('text'), refreshUrl: implicit('text'), scopes: implicit({ map: 'text' }) }),
    deviceCode: message({ deviceAuthorizationUrl: required('text'), tokenUrl: required('text'), refreshUrl: implicit('text'), scopes }),
  },
};

const SCHEME: Shape = {
  fields: {
    apiKeySecurityScheme: message({ description: implicit('text'), location: required('text'), name: required('text') }),
    httpAuthSecurityScheme: message({ description: implicit('text'), scheme: required('text'), bearerFormat: implicit('text') }),
    oauth2SecurityScheme: message({ description: implicit('text'), flows: required(FLOWS), oauth2MetadataUrl: implicit('text') }),
    openIdConnectSecurityScheme: message({ description: implicit('text'), openIdConnectUrl: required('text') }),
    mtlsSecurityScheme: message({ description: implicit('text') }),
  },
};

const EXTENSION: Shape = {
  fields: { uri: implicit('text'), description: implicit('text'), required: implicit('flag'), params: optional('open') },
};

const CAPABILITIES: RecordShape = {
  fields: {
    streaming: optional('flag'),
    pushNotifications: optional('flag'),
    extensions: implicit({ list: EXTENSION }),
    extendedAgentCard: optional('flag'),
  },
};

const SKILL: RecordShape = {
  fields: {
    id: required('text'),
    name: required('text'),
    description: required('text'),
    tags: required(texts),
    examples: implicit(texts),
    inputModes: implicit(texts),
    outputModes: implicit(texts),
    securityRequirements: implicit(requirements),
  },
};

const INTERFACE: Shape = {
  fields: { url: required('text'), protocolBinding: required('text'), tenant: implicit('text'), protocolVersion: required('text') },
};

const SIGNATURE: Shape = { fields: { protected: required('text'), signature: required('text'), header: optional('open') } };

/** The agent card of A2A 1.0 (specification/a2a.proto, AgentCard). */
export const CARD: RecordShape = {
  fields: {
    name: required('text'),
    description: required('text'),
    supportedInterfaces: required({ list: INTERFACE }),
    provider: message({ url: required('text'), organization: required('text') }),
    version: required('text'),
    documentationUrl: optional('text'),
    capabilities: required(CAPABILITIES),
    securitySchemes: implicit({ map: SCHEME }),
    securityRequirements: implicit(requirements),
    defaultInputModes: required(texts),
    defaultOutputModes: required(texts),
    skills: required({ list: SKILL }),
    signatures: implicit({ list: SIGNATURE }),
    iconUrl: optional('text'),
  },
};

const security = implicit({ list: { map: texts } });

/** What an agent may answer: a card of A2A 1.0, of 0.3, or both in one. The schemes of the two differ, so they are read later. */
export const ANY_CARD: RecordShape = {
  fields: {
    ...CARD.fields,
    securitySchemes: implicit({ map: { fields: {} } }),
    skills: required({ list: { fields: { ...SKILL.fields, security } } }),
    url: implicit('text'),
    preferredTransport: implicit('text'),
    additionalInterfaces: implicit({ list: { fields: { url: required('text'), transport: required('text') } } }),
    protocolVersion: implicit('text'),
    supportsAuthenticatedExtendedCard: implicit('flag'),
    security,
  },
};
