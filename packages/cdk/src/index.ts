/** @leasehold/cdk: dashboard and alarms for Leasehold's metrics. */

export { type AlarmRule, alarmRules } from './alarms.ts'
export { LeaseholdMonitoring, type MonitoringProps } from './monitoring.ts'
export { monitoringTemplate } from './template.ts'
