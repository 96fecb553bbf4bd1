// A charger of the npm package ocpp-rpc, which checks what it sends and receives against its own copy of the schemas:
// node ocpp-rpc.mjs ENDPOINT SERIAL PASSWORD CONNECTOR WH. Charges once when it is told to and prints the transaction.
import { RPCClient } from 'ocpp-rpc';

const [endpoint, identity, password, connector, wh] = process.argv.slice(2);
const client = new RPCClient({ endpoint, identity, password: password || undefined, protocols: ['ocpp1.6'], strictMode: true });
const now = () => new Date().toISOString();
const connectorId = Number(connector);
const status = (status) =>
  client.call('StatusNotification', { connectorId, errorCode: 'NoError', status, timestamp: now() });
let transactionId;

client.handle('RemoteStartTransaction', ({ params }) => {
  setTimeout(async () => {
    const started = await client.call('StartTransaction', { connectorId, idTag: params.idTag, meterStart: 5000, timestamp: now() });
    transactionId = started.transactionId;
    await status('Charging');
    const sampledValue = [{ value: String(5000 + Number(wh)), measurand: 'Energy.Active.Import.Register', unit: 'Wh' }];
    await client.call('MeterValues', { connectorId, transactionId, meterValue: [{ timestamp: now(), sampledValue }] });
  }, 100);
  return { status: 'Accepted' };
});
client.handle('RemoteStopTransaction', ({ params }) => {
  setTimeout(async () => {
    await client.call('StopTransaction', { transactionId, meterStop: 5000 + Number(wh), timestamp: now(), reason: 'Remote' });
    await status('Available');
    console.log(`stopped ${transactionId}`);
    await client.close();
  }, 100);
  return { status: params.transactionId === transactionId ? 'Accepted' : 'Rejected' };
});
client.handle(({ method }) => (method === 'TriggerMessage' ? { status: 'Accepted' } : {}));

await client.connect();
await client.call('BootNotification', { chargePointVendor: 'Foreign', chargePointModel: 'R1' });
await status('Preparing');
console.log('ready');
