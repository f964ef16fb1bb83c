import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { zipSync } from 'fflate';

interface BundleOptions {
  /** Where to write it. */
  readonly file: string;
  /** `[a-z][a-z0-9-]*`; tells bundles apart in the client. */
  readonly name: string;
  /** The MCP endpoint: the address that the client proposes to the person who installs the bundle. */
  readonly url: string;
  readonly title?: string | undefined;
  readonly description?: string | undefined;
  /** The hub has consumers: the person must give a key, which the client keeps in the system's key store. */
  readonly keyed: boolean;
  /** Of hubgate, as in semver. */
  readonly version: string;
}

/**
 * Writes an `.mcpb` bundle (https://github.com/modelcontextprotocol/mcpb, manifest 0.4): the relay, with the address of
 * one server of the hub filled in. It holds no key. The same options give the same bytes.
 * @throws {Error} as the file system does
 */
export async function writeBundle(options: BundleOptions): Promise<void> {
  const relay = await readFile(new URL('../../../relay/relay.mjs', import.meta.url));
  const manifest = new TextEncoder().encode(`${JSON.stringify(manifestOf(options), null, 2)}\n`);
  const zip = zipSync({ 'manifest.json': manifest, 'server/relay.mjs': relay }, { mtime: new Date(1980, 0, 1), level: 9 });
  await mkdir(dirname(options.file), { recursive: true });
  await writeFile(options.file, zip);
}

function manifestOf({ name, url, title, description, keyed, version }: BundleOptions) {
  return {
    manifest_version: '0.4',
    name: name === 'hubgate' ? name : `hubgate-${name}`,
    display_name: title ?? (name === 'hubgate' ? 'Hubgate' : `Hubgate: ${name}`),
    version,
    description: description ?? `The tools of ${url} through Hubgate`,
    author: { name: 'Hubgate' },
    license: 'Apache-2.0',
    tools_generated: true,
    server: {
      type: 'node',
      entry_point: 'server/relay.mjs',
      mcp_config: {
        command: 'node',
        args: ['${__dirname}/server/relay.mjs'],
        env: { HUBGATE_URL: '${user_config.hub_url}', HUBGATE_KEY: '${user_config.hub_key}' },
      },
    },
    compatibility: { platforms: ['darwin', 'win32', 'linux'], runtimes: { node: '>=18.0.0' } },
    user_config: {
      // Not required: a client that insists on required values may not count the default as one.
      hub_url: { type: 'string', title: 'Address', description: 'The MCP address on the hub', default: url, required: false },
      hub_key: {
        type: 'string',
        title: 'Key',
        description: 'Your key for the hub; "hubgate keys create CONSUMER" makes one',
        sensitive: true,
        required: keyed,
        ...(!keyed && { default: '' }),
      },
    },
  };
}
