// OpenTelemetry's instrumentation of both drivers, as an application preloads it.
import { MySQL2Instrumentation } from '@opentelemetry/instrumentation-mysql2'
import { PgInstrumentation } from '@opentelemetry/instrumentation-pg'
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base'

const exporter = new InMemorySpanExporter()
const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] })
for (const instrumentation of [new PgInstrumentation(), new MySQL2Instrumentation()]) {
  instrumentation.setTracerProvider(provider)
}
globalThis.look = () => exporter.getFinishedSpans().map(({ name }) => name)
