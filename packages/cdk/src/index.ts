/** @leasehold/cdk: the layer, and dashboard and alarms for Leasehold's metrics. */

export { type AlarmRule, alarmRules } from './alarms.ts'
export { type AttachOptions, type LayerProps, LeaseholdLayer } from './layer.ts'
export { LeaseholdMonitoring, type MonitoringProps } from './monitoring.ts'
export { monitoringTemplate } from './template.ts'
