import { connect } from 'node:net';

/** Sends bytes as they are and gives all that came back until the server closed, or `waitMs` passed. */
export function raw(port: number, text: string, waitMs = 1_000): Promise<{ text: string; closed: boolean }> {
  return new Promise((resolve) => {
    let received = '';
    const socket = connect(port, '127.0.0.1', () => socket.write(text));
    const timer = setTimeout(() => done(false), waitMs);
    const done = (closed: boolean): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve({ text: received, closed });
    };
    socket.on('data', (chunk) => (received += chunk.toString()));
    socket.on('error', () => {});
    socket.on('close', () => done(true));
  });
}

/** One request with the headers that are given, on a connection that the server is to close. */
export function ask(
  port: number,
  line: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<{ text: string; closed: boolean }> {
  const all = { host: `127.0.0.1:${port}`, connection: 'close', ...headers };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return raw(port, `${line}\r\n${lines.join('')}\r\n`);
}
