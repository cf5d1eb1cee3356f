// Uploads files with PicGo as its command line does: node upload.js CONFIG FILE...
// The last line that it prints is a JSON object: the addresses, and what PicGo told
// its user. It leaves by itself because PicGo would wait for the server to close
// the connection.
const { PicGo } = require('picgo')

const [config, ...files] = process.argv.slice(2)
const picgo = new PicGo(config)
const told = []
picgo.on('notification', (n) => told.push(n))
picgo
  .upload(files)
  .then((out) => (out instanceof Error ? { error: String(out) } : { urls: out.map((o) => o.imgUrl || '') }))
  .catch((err) => ({ error: String(err) }))
  .then((result) => process.stdout.write('\n' + JSON.stringify({ ...result, told }) + '\n', () => process.exit(0)))
