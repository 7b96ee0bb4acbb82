// The dashboard as a picture: each widget of its definition, drawn over what a fleet sent.
import type { TopLevelSpec } from 'vega-lite'

import { dashboardBody } from '../../../packages/cdk/src/dashboard.ts'
import { drawSvg } from '../fleet/charts/draw.ts'
import { CONFIG } from '../fleet/charts/theme.ts'
import type { StoredMetrics } from './data.ts'
import { panelOf } from './panel.ts'
import { boardOf, type DashboardBody } from './widgets.ts'

/** A minute of the dashboard is three seconds of the story. */
export const SPEED = 20

const PANEL_WIDTH = 224
const AXIS_WIDTH = 54

const TITLE = 'The dashboard over the metrics of a benchmarked fleet'

/** The definition as CloudFormation hands it to CloudWatch, for the pools that were recorded. */
export function recordedBody({ dimensions, namespace, targetPressure }: StoredMetrics): DashboardBody {
  const { Fleet: fleet, Engine: engine, Target: target } = dimensions
  const body = dashboardBody({ namespace, fleet, engine, target }, 'eu-west-1', 100 * targetPressure)
  return JSON.parse(JSON.stringify(body)) as DashboardBody
}

export async function drawDashboard(
  metrics: StoredMetrics,
  body: DashboardBody = recordedBody(metrics),
): Promise<string> {
  const { columns, widgets } = boardOf(body, metrics, SPEED)
  const spec: TopLevelSpec = {
    config: CONFIG,
    padding: { left: 16, right: 18, top: 16, bottom: 14 },
    spacing: { row: 124, column: AXIS_WIDTH },
    bounds: 'flush',
    resolve: { scale: { color: 'independent' } },
    columns,
    concat: widgets.map((widget) => panelOf(widget, PANEL_WIDTH, metrics.durationMs)),
  }
  return drawSvg(spec, TITLE)
}
