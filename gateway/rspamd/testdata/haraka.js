// Runs haraka-plugin-rspamd as Haraka does at the end of a mail's data, and prints what it did as JSON:
// node haraka.js RSPAMD.INI PORT MAIL, with the plugin in NODE_PATH.
const fs = require('node:fs')
const plugin = require('haraka-plugin-rspamd')

const [, , ini, port, file] = process.argv
const cfg = { main: {}, check: {}, dkim: { enabled: true }, reject: { spam: true }, rewrite_subject: { enabled: true },
  rmilter_headers: { enabled: true }, soft_reject: { enabled: true }, smtp_message: { enabled: true }, defer: {}, header: {} }
let section = 'main'
for (const line of fs.readFileSync(ini, 'utf8').split('\n')) {
  const [name, value] = line.split('=').map((s) => s.trim())
  if (/^\[/.test(line)) section = line.slice(1, -1)
  else if (value) (cfg[section] ??= {})[name] = value === 'true' ? true : value
}
cfg.main.port = port

const did = []
const none = () => {}
const mail = fs.readFileSync(file)
const transaction = {
  uuid: 'A1B2.1',
  header: { get: (name) => (new RegExp(`^${name}: (.*?)\r?$`, 'm').exec(mail) || ['', ''])[1] },
  mail_from: { address: 'bounce@example.com' },
  rcpt_to: [{ address: 'anna@example.net' }, { address: 'ben@example.net' }],
  results: { get: none, add: (_, r) => did.push(r) },
  remove_header: (name) => did.push({ removed: name }),
  add_header: (name, value) => did.push({ added: name, value }),
  message_stream: { pipe: (req) => req.end(mail), unpipe: none },
}
const connection = {
  notes: {}, relaying: false, transaction, hello: { host: 'mail.example.com' }, results: { get: none },
  remote: { ip: '192.0.2.7', host: 'mail.example.com' }, tls: { enabled: false }, loginfo: none, logerror: none, logdebug: none,
}
Object.assign(globalThis, { DENY: 'DENY', DENYSOFT: 'DENYSOFT' })
Object.assign(plugin, { name: 'rspamd', timeout: 20, logdebug: none, logerror: none, register_hook: none, config: { get: () => cfg } })
plugin.register()
plugin.rspamd_data_post((code, text) => console.log(JSON.stringify({ code, text: text?.reply ?? text, did })), connection)
