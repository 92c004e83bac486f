import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { BadgeField, badgeField } from "@web/views/fields/badge/badge_field";

/** Values of Shopify's enumerations, in lower case, with what people call them and their colour. */
const KNOWN = {
    paid: [_t("Paid"), "success"],
    partially_paid: [_t("Partially paid"), "warning"],
    pending: [_t("Pending"), "warning"],
    authorized: [_t("Authorised"), "info"],
    expired: [_t("Expired"), "danger"],
    refunded: [_t("Refunded"), "danger"],
    partially_refunded: [_t("Partially refunded"), "warning"],
    voided: [_t("Voided"), "danger"],
    fulfilled: [_t("Fulfilled"), "success"],
    partially_fulfilled: [_t("Partially fulfilled"), "info"],
    unfulfilled: [_t("Not fulfilled"), "300"],
    fulfillment_not_required: [_t("Nothing to fulfil"), "300"],
    in_progress: [_t("In progress"), "info"],
    on_hold: [_t("On hold"), "warning"],
    open: [_t("Open"), "info"],
    scheduled: [_t("Scheduled"), "info"],
    restocked: [_t("Restocked"), "300"],
    request_declined: [_t("Request declined"), "danger"],
    no_return: [_t("No return"), "300"],
    return_requested: [_t("Return requested"), "warning"],
    inspection_complete: [_t("Inspected"), "info"],
    returned: [_t("Returned"), "info"],
    return_failed: [_t("Return failed"), "danger"],
    success: [_t("Successful"), "success"],
    failure: [_t("Failed"), "danger"],
    error: [_t("Failed"), "danger"],
    awaiting_response: [_t("Awaits an answer"), "warning"],
    sale: [_t("Sale"), "300"],
    authorization: [_t("Authorisation"), "300"],
    emv_authorization: [_t("Authorisation by card reader"), "300"],
    capture: [_t("Capture"), "300"],
    void: [_t("Void"), "300"],
    refund: [_t("Refund"), "300"],
    suggested_refund: [_t("Suggested refund"), "300"],
    change: [_t("Change"), "300"],
};

/** A status as Shopify states it; one that is not known here is shown as it is. */
export class ShopifyStatusField extends BadgeField {
    get known() {
        return KNOWN[this.props.record.data[this.props.name]];
    }

    get formattedValue() {
        return this.known ? this.known[0].toString() : super.formattedValue;
    }

    get badgeClass() {
        return this.known ? `text-bg-${this.known[1]}` : super.badgeClass;
    }
}

registry.category("fields").add("shopify_status", {
    ...badgeField,
    component: ShopifyStatusField,
    displayName: _t("Shopify Status"),
    supportedTypes: ["char"],
    // aligned and cut off like other badges
    additionalClasses: ["o_field_badge"],
});
