import { Component, onMounted, onWillUnmount, xml } from "@odoo/owl";
import { registry } from "@web/core/registry";
import { standardWidgetProps } from "@web/views/widgets/standard_widget_props";

const INTERVAL = 2000;

/**
 * Reads the record of a form again every two seconds, until its field `finished` is true.
 */
export class ShopifyAutoRefresh extends Component {
    static template = xml`<i t-if="!props.record.data.finished" class="fa fa-circle-o-notch fa-spin text-muted" title="Refreshing"/>`;
    static props = { ...standardWidgetProps };

    setup() {
        this.reading = false;
        onMounted(() => {
            this.timer = setInterval(() => this.refresh(), INTERVAL);
        });
        onWillUnmount(() => clearInterval(this.timer));
    }

    async refresh() {
        const { record } = this.props;
        const idle = !record.resId || record.data.state !== "running" || record.data.finished;
        if (idle || this.reading || document.hidden) {
            return;
        }
        this.reading = true;
        try {
            await record.load();
        } finally {
            this.reading = false;
        }
    }
}

registry.category("view_widgets").add("shopify_auto_refresh", {
    component: ShopifyAutoRefresh,
    fieldDependencies: [
        { name: "finished", type: "boolean" },
        { name: "state", type: "selection" },
    ],
});
