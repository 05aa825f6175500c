/** Tells an MQTT broker what happens: events from the store, and what it is to keep of each source. Knows no sources and makes no pictures. */
export { forgetBroker, MqttPublisher, type MqttStats } from './mqtt-publisher.js';
