//! Diesel tables, as the migrations make them.

diesel::table! {
    areas (id) {
        id -> Uuid,
        line -> Text,
        provider_id -> Uuid,
        property_id -> Uuid,
        station_id -> Uuid,
        code -> Text,
        name -> Text,
        phone -> Nullable<Text>,
        power_w -> Nullable<Int8>,
        enabled -> Bool,
        version -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    audits (id) {
        id -> Uuid,
        user_id -> Nullable<Uuid>,
        user_name -> Text,
        provider_id -> Nullable<Uuid>,
        property_id -> Nullable<Uuid>,
        ip -> Text,
        request_id -> Text,
        resource -> Text,
        object_id -> Uuid,
        object_name -> Text,
        action -> Text,
        before -> Nullable<Jsonb>,
        after -> Nullable<Jsonb>,
        created_at -> Timestamptz,
        collective_id -> Nullable<Uuid>,
    }
}

diesel::table! {
    car_orders (id) {
        id -> Uuid,
        order_no -> Text,
        provider_id -> Uuid,
        property_id -> Uuid,
        station_id -> Uuid,
        area_id -> Uuid,
        charger_id -> Uuid,
        connector_id -> Uuid,
        driver_id -> Uuid,
        phone -> Text,
        start_method -> Text,
        card_no -> Nullable<Text>,
        state -> Text,
        end_reason -> Nullable<Text>,
        end_note -> Nullable<Text>,
        prepaid_fen -> Int8,
        elec_fen -> Int8,
        service_fen -> Int8,
        total_fen -> Int8,
        charged_fen -> Int8,
        overrun_fen -> Int8,
        refunded_fen -> Int8,
        kwh -> Numeric,
        started_at -> Nullable<Timestamptz>,
        ended_at -> Nullable<Timestamptz>,
        settled_at -> Nullable<Timestamptz>,
        flags -> Array<Text>,
        version -> Int8,
        created_at -> Timestamptz,
        reservation_id -> Nullable<Uuid>,
    }
}

diesel::table! {
    card_product_stations (product_id, station_id) {
        product_id -> Uuid,
        station_id -> Uuid,
    }
}

diesel::table! {
    card_products (id) {
        id -> Uuid,
        provider_id -> Uuid,
        property_id -> Uuid,
        name -> Text,
        kind -> Text,
        issued_to -> Text,
        price_fen -> Int8,
        face_fen -> Int8,
        tiers -> Jsonb,
        enabled -> Bool,
        version -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    cards (id) {
        id -> Uuid,
        provider_id -> Uuid,
        property_id -> Uuid,
        product_id -> Uuid,
        driver_id -> Uuid,
        collective_id -> Nullable<Uuid>,
        code -> Text,
        kind -> Text,
        issued_to -> Text,
        price_fen -> Int8,
        face_fen -> Int8,
        holder -> Text,
        card_no -> Nullable<Text>,
        chip_uid -> Nullable<Text>,
        valid_days -> Nullable<Int4>,
        issued_by -> Text,
        enabled -> Bool,
        version -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    charge_sessions (order_id) {
        order_id -> Uuid,
        tag -> Text,
        tariff_version_id -> Uuid,
        tariff -> Jsonb,
        tariff_hash -> Text,
        rated_power_w -> Int8,
        transaction_id -> Nullable<Int4>,
        meter -> Nullable<Jsonb>,
        power_w -> Nullable<Int8>,
        current_ma -> Nullable<Int8>,
        voltage_mv -> Nullable<Int8>,
        soc -> Nullable<Int4>,
        flowing_at -> Nullable<Timestamptz>,
        last_report_at -> Nullable<Timestamptz>,
        start_sent_at -> Nullable<Timestamptz>,
        stop_sent_at -> Nullable<Timestamptz>,
        suspended_at -> Nullable<Timestamptz>,
        clock -> Nullable<Jsonb>,
        staff_asked_at -> Nullable<Timestamptz>,
        stop_accepted_at -> Nullable<Timestamptz>,
        lost_at -> Nullable<Timestamptz>,
        avg_power_w -> Nullable<Int8>,
        peak_power_w -> Nullable<Int8>,
    }
}

diesel::table! {
    charger_states (charger_id) {
        charger_id -> Uuid,
        online -> Bool,
        connection -> Nullable<Uuid>,
        connected_at -> Nullable<Timestamptz>,
        last_seen_at -> Nullable<Timestamptz>,
        remote_address -> Nullable<Text>,
        booted_at -> Nullable<Timestamptz>,
        vendor -> Nullable<Text>,
        reported_model -> Nullable<Text>,
        firmware -> Nullable<Text>,
        reported_serial_no -> Nullable<Text>,
        iccid -> Nullable<Text>,
        status -> Text,
        error_code -> Nullable<Text>,
        status_at -> Nullable<Timestamptz>,
        password_hashes -> Array<Text>,
        configuration -> Nullable<Jsonb>,
        relative_meter_since -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    chargers (id) {
        id -> Uuid,
        provider_id -> Uuid,
        property_id -> Uuid,
        station_id -> Uuid,
        area_id -> Uuid,
        code -> Text,
        serial_no -> Text,
        name -> Text,
        model -> Nullable<Text>,
        device_version -> Nullable<Text>,
        sim -> Nullable<Text>,
        nature -> Text,
        occupancy_fee -> Bool,
        reservable -> Bool,
        output_current_a -> Nullable<Int4>,
        output_power_w -> Int8,
        output_voltage_v -> Nullable<Int4>,
        current_type -> Text,
        interface -> Text,
        speed -> Text,
        mounting -> Nullable<Text>,
        protection -> Nullable<Text>,
        communication -> Nullable<Text>,
        enabled -> Bool,
        version -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    code_counts (subject) {
        subject -> Text,
        sends -> Int4,
        counted_from -> Timestamptz,
    }
}

diesel::table! {
    collectives (id) {
        id -> Uuid,
        provider_id -> Uuid,
        property_id -> Uuid,
        name -> Text,
        email -> Nullable<Text>,
        contact -> Text,
        phone -> Text,
        address -> Nullable<Text>,
        note -> Nullable<Text>,
        enabled -> Bool,
        version -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        locked -> Bool,
    }
}

diesel::table! {
    connection_records (id) {
        id -> Uuid,
        provider_id -> Uuid,
        property_id -> Uuid,
        station_id -> Uuid,
        device_id -> Uuid,
        device_kind -> Text,
        serial_no -> Text,
        online -> Bool,
        reason -> Text,
        remote_address -> Nullable<Text>,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    connectors (id) {
        id -> Uuid,
        provider_id -> Uuid,
        property_id -> Uuid,
        station_id -> Uuid,
        area_id -> Uuid,
        charger_id -> Uuid,
        number -> Int4,
        code -> Text,
        name -> Text,
        enabled -> Bool,
        status -> Text,
        error_code -> Nullable<Text>,
        status_info -> Nullable<Text>,
        status_at -> Nullable<Timestamptz>,
        version -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    departments (id) {
        id -> Uuid,
        kind -> Text,
        provider_id -> Nullable<Uuid>,
        property_id -> Nullable<Uuid>,
        collective_id -> Nullable<Uuid>,
        parent_id -> Nullable<Uuid>,
        name -> Text,
        position -> Int4,
        leader -> Nullable<Text>,
        phone -> Nullable<Text>,
        email -> Nullable<Text>,
        enabled -> Bool,
        version -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    device_commands (id) {
        id -> Uuid,
        provider_id -> Uuid,
        property_id -> Uuid,
        station_id -> Uuid,
        device_id -> Uuid,
        kind -> Text,
        payload -> Jsonb,
        state -> Text,
        outcome -> Nullable<Text>,
        order_id -> Nullable<Uuid>,
        requested_by -> Text,
        deadline -> Timestamptz,
        created_at -> Timestamptz,
        sent_at -> Nullable<Timestamptz>,
        finished_at -> Nullable<Timestamptz>,
        secret -> Nullable<Text>,
    }
}

diesel::table! {
    device_frames (id) {
        id -> Uuid,
        device_id -> Uuid,
        inbound -> Bool,
        body -> Text,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    device_transactions (transaction_id) {
        transaction_id -> Int4,
        charger_id -> Uuid,
        connector_number -> Int4,
        id_tag -> Text,
        meter_start_wh -> Int8,
        started_at -> Timestamptz,
        order_id -> Nullable<Uuid>,
        accepted -> Bool,
        meter_stop_wh -> Nullable<Int8>,
        stopped_at -> Nullable<Timestamptz>,
        stop_reason -> Nullable<Text>,
        discrepancy -> Nullable<Jsonb>,
        created_at -> Timestamptz,
        told_to_stop_at -> Nullable<Timestamptz>,
        readings -> Nullable<Jsonb>,
    }
}

diesel::table! {
    driver_totals (node_id, driver_id) {
        node_id -> Uuid,
        driver_id -> Uuid,
        orders -> Int8,
    }
}

diesel::table! {
    driver_visits (driver_id, station_id) {
        driver_id -> Uuid,
        station_id -> Uuid,
        provider_id -> Uuid,
        property_id -> Uuid,
        orders -> Int8,
        last_at -> Timestamptz,
    }
}

diesel::table! {
    drivers (id) {
        id -> Uuid,
        phone -> Text,
        nickname -> Nullable<Text>,
        name -> Nullable<Text>,
        gender -> Text,
        plate -> Nullable<Text>,
        certified -> Bool,
        enabled -> Bool,
        last_seen_at -> Nullable<Timestamptz>,
        version -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    idempotency_keys (id) {
        actor -> Uuid,
        operation -> Text,
        key -> Text,
        request_hash -> Text,
        answer -> Text,
        created_at -> Timestamptz,
        id -> Uuid,
    }
}

diesel::table! {
    inbox (id) {
        id -> Uuid,
        channel -> Text,
        dedupe_key -> Text,
        headers -> Jsonb,
        body -> Text,
        state -> Text,
        note -> Nullable<Text>,
        received_at -> Timestamptz,
    }
}

diesel::table! {
    inbox_rejected (id) {
        id -> Uuid,
        channel -> Text,
        headers -> Jsonb,
        body -> Text,
        reason -> Text,
        received_at -> Timestamptz,
    }
}

diesel::table! {
    invoice_files (invoice_id) {
        invoice_id -> Uuid,
        pdf -> Bytea,
    }
}

diesel::table! {
    invoice_orders (invoice_id, order_id) {
        invoice_id -> Uuid,
        order_id -> Uuid,
        gross_fen -> Int8,
        live -> Bool,
    }
}

diesel::table! {
    invoices (id) {
        id -> Uuid,
        invoice_no -> Text,
        provider_id -> Uuid,
        property_id -> Uuid,
        station_id -> Uuid,
        order_kind -> Text,
        driver_id -> Uuid,
        state -> Text,
        kind -> Text,
        buyer -> Text,
        title -> Text,
        tax_id -> Nullable<Text>,
        email -> Text,
        phone -> Text,
        requested_by -> Text,
        seller -> Jsonb,
        lines -> Jsonb,
        gross_fen -> Int8,
        tax_fen -> Int8,
        serial_no -> Text,
        service_no -> Nullable<Text>,
        number -> Nullable<Text>,
        code -> Nullable<Text>,
        issued_at -> Nullable<Timestamptz>,
        void_no -> Nullable<Text>,
        void_reason -> Nullable<Text>,
        sent_at -> Nullable<Timestamptz>,
        not_found_at -> Nullable<Timestamptz>,
        failure -> Nullable<Text>,
        finished_at -> Nullable<Timestamptz>,
        version -> Int8,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    jobs (id) {
        id -> Uuid,
        kind -> Text,
        key -> Text,
        payload -> Jsonb,
        state -> Text,
        attempts -> Int4,
        run_at -> Timestamptz,
        locked_until -> Nullable<Timestamptz>,
        last_error -> Nullable<Text>,
        created_at -> Timestamptz,
        finished_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    ledger_accounts (id) {
        id -> Int8,
        key -> Text,
        guarded -> Bool,
        balance_fen -> Int8,
    }
}

diesel::table! {
    ledger_entries (transaction_id, seq) {
        transaction_id -> Uuid,
        seq -> Int4,
        account_id -> Int8,
        amount_fen -> Int8,
    }
}

diesel::table! {
    ledger_transactions (id) {
        id -> Uuid,
        kind -> Text,
        business_id -> Uuid,
        idem_key -> Text,
        reversal_of -> Nullable<Uuid>,
        created_at -> Timestamptz,
        key_id -> Nullable<Uuid>,
    }
}

diesel::table! {
    login_codes (phone) {
        phone -> Text,
        code_hash -> Text,
        attempts -> Int4,
        sent_at -> Timestamptz,
        expires_at -> Timestamptz,
        sends -> Int4,
        counted_from -> Timestamptz,
        network -> Text,
    }
}

diesel::table! {
    login_records (id) {
        id -> Uuid,
        username -> Text,
        user_id -> Nullable<Uuid>,
        ip -> Text,
        agent -> Text,
        outcome -> Text,
        created_at -> Timestamptz,
        user_name -> Nullable<Text>,
        provider_id -> Nullable<Uuid>,
        property_id -> Nullable<Uuid>,
        collective_id -> Nullable<Uuid>,
    }
}

diesel::table! {
    login_tries (name, network) {
        name -> Text,
        network -> Text,
        failed -> Int4,
        failed_at -> Timestamptz,
        locked_until -> Nullable<Timestamptz>,
        succeeded_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    meter_readings (order_id, run, at, kind) {
        order_id -> Uuid,
        at -> Timestamptz,
        wh -> Int8,
        power_w -> Nullable<Int8>,
        current_ma -> Nullable<Int8>,
        voltage_mv -> Nullable<Int8>,
        soc -> Nullable<Int4>,
        billed -> Bool,
        kind -> Text,
        run -> Int2,
        arrived_at -> Timestamptz,
    }
}

diesel::table! {
    order_days (day, line, station_id) {
        day -> Date,
        line -> Text,
        station_id -> Uuid,
        provider_id -> Uuid,
        property_id -> Uuid,
        orders -> Int8,
        completed -> Int8,
        refunds -> Int8,
        kwh -> Numeric,
        elec_fen -> Int8,
        service_fen -> Int8,
        refunded_fen -> Int8,
        charge_seconds -> Int8,
    }
}

diesel::table! {
    order_events (id) {
        id -> Int8,
        order_id -> Uuid,
        kind -> Text,
        from_state -> Nullable<Text>,
        to_state -> Nullable<Text>,
        detail -> Nullable<Jsonb>,
        actor -> Text,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    payments (id) {
        id -> Uuid,
        payment_no -> Text,
        provider_id -> Uuid,
        property_id -> Uuid,
        station_id -> Uuid,
        order_kind -> Text,
        order_id -> Uuid,
        order_no -> Text,
        driver_id -> Uuid,
        phone -> Text,
        channel -> Text,
        merchant_no -> Text,
        amount_fen -> Int8,
        refunded_fen -> Int8,
        state -> Text,
        channel_no -> Nullable<Text>,
        pay_url -> Nullable<Text>,
        result -> Nullable<Text>,
        created_at -> Timestamptz,
        expires_at -> Timestamptz,
        paid_at -> Nullable<Timestamptz>,
        notified_at -> Nullable<Timestamptz>,
        version -> Int8,
        key_id -> Nullable<Uuid>,
    }
}

diesel::table! {
    posts (id) {
        id -> Uuid,
        kind -> Text,
        provider_id -> Nullable<Uuid>,
        property_id -> Nullable<Uuid>,
        collective_id -> Nullable<Uuid>,
        department_id -> Uuid,
        name -> Text,
        position -> Int4,
        enabled -> Bool,
        version -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    properties (id) {
        id -> Uuid,
        provider_id -> Uuid,
        name -> Text,
        contact -> Text,
        phone -> Text,
        email -> Nullable<Text>,
        province -> Nullable<Text>,
        city -> Nullable<Text>,
        address -> Nullable<Text>,
        enabled -> Bool,
        version -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    providers (id) {
        id -> Uuid,
        name -> Text,
        contact -> Text,
        phone -> Text,
        email -> Nullable<Text>,
        review -> Text,
        review_note -> Nullable<Text>,
        enabled -> Bool,
        version -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        parent_id -> Nullable<Uuid>,
    }
}

diesel::table! {
    refunds (id) {
        id -> Uuid,
        refund_no -> Text,
        provider_id -> Uuid,
        property_id -> Uuid,
        station_id -> Uuid,
        payment_id -> Uuid,
        order_id -> Uuid,
        order_no -> Text,
        phone -> Text,
        channel -> Text,
        kind -> Text,
        seq -> Int4,
        amount_fen -> Int8,
        elec_fen -> Int8,
        service_fen -> Int8,
        state -> Text,
        reason -> Text,
        requested_by -> Text,
        channel_refund_no -> Nullable<Text>,
        result -> Nullable<Text>,
        not_found_at -> Nullable<Timestamptz>,
        created_at -> Timestamptz,
        sent_at -> Nullable<Timestamptz>,
        finished_at -> Nullable<Timestamptz>,
        version -> Int8,
        retried_as -> Nullable<Text>,
        key_id -> Nullable<Uuid>,
    }
}

diesel::table! {
    reservations (id) {
        id -> Uuid,
        number -> Int4,
        reservation_no -> Text,
        provider_id -> Uuid,
        property_id -> Uuid,
        station_id -> Uuid,
        area_id -> Uuid,
        charger_id -> Uuid,
        connector_id -> Uuid,
        driver_id -> Uuid,
        phone -> Text,
        plate -> Text,
        state -> Text,
        held_by_charger -> Bool,
        entered_at -> Nullable<Timestamptz>,
        left_at -> Nullable<Timestamptz>,
        ended_at -> Nullable<Timestamptz>,
        end_reason -> Nullable<Text>,
        ended_by -> Nullable<Text>,
        end_note -> Nullable<Text>,
        version -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    roles (id) {
        id -> Uuid,
        kind -> Text,
        provider_id -> Nullable<Uuid>,
        property_id -> Nullable<Uuid>,
        name -> Text,
        permissions -> Array<Text>,
        builtin -> Bool,
        enabled -> Bool,
        version -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        collective_id -> Nullable<Uuid>,
    }
}

diesel::table! {
    secrets (name) {
        name -> Text,
        value -> Text,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    sessions (id) {
        id -> Uuid,
        family -> Uuid,
        user_id -> Nullable<Uuid>,
        driver_id -> Nullable<Uuid>,
        token_hash -> Text,
        ip -> Text,
        agent -> Text,
        created_at -> Timestamptz,
        expires_at -> Timestamptz,
        spent_at -> Nullable<Timestamptz>,
        revoked_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    settings (id) {
        id -> Bool,
        name -> Text,
        logo -> Nullable<Text>,
        language -> Text,
        access_minutes -> Int4,
        session_days -> Int4,
        sessions_per_user -> Int4,
        frame_days -> Int4,
        login_days -> Int4,
        audit_days -> Int4,
        version -> Int8,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    stations (id) {
        id -> Uuid,
        line -> Text,
        provider_id -> Uuid,
        property_id -> Uuid,
        code -> Text,
        name -> Text,
        nature -> Text,
        contact -> Nullable<Text>,
        contact_phone -> Nullable<Text>,
        intro -> Nullable<Text>,
        hotline -> Nullable<Text>,
        business_hours -> Nullable<Text>,
        max_power_w -> Nullable<Int8>,
        capacity_w -> Nullable<Int8>,
        province -> Nullable<Text>,
        city -> Nullable<Text>,
        address -> Nullable<Text>,
        lng -> Nullable<Float8>,
        lat -> Nullable<Float8>,
        review -> Text,
        review_note -> Nullable<Text>,
        enabled -> Bool,
        version -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        short_name -> Nullable<Text>,
        seller -> Nullable<Jsonb>,
    }
}

diesel::table! {
    tariff_versions (id) {
        id -> Uuid,
        tariff_id -> Uuid,
        number -> Int4,
        body -> Jsonb,
        body_hash -> Text,
        saved_at -> Timestamptz,
        effective_at -> Timestamptz,
        saved_by -> Nullable<Uuid>,
    }
}

diesel::table! {
    tariffs (id) {
        id -> Uuid,
        line -> Text,
        provider_id -> Uuid,
        property_id -> Uuid,
        station_id -> Uuid,
        area_id -> Uuid,
        name -> Text,
        mode -> Text,
        presets -> Array<Int8>,
        enabled -> Bool,
        version -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    unknown_devices (serial_no) {
        serial_no -> Text,
        id -> Uuid,
        protocol -> Text,
        remote_address -> Text,
        reason -> Text,
        knocks -> Int8,
        first_at -> Timestamptz,
        last_at -> Timestamptz,
    }
}

diesel::table! {
    user_roles (user_id, role_id) {
        user_id -> Uuid,
        role_id -> Uuid,
    }
}

diesel::table! {
    user_stations (user_id, station_id) {
        user_id -> Uuid,
        station_id -> Uuid,
    }
}

diesel::table! {
    users (id) {
        id -> Uuid,
        kind -> Text,
        provider_id -> Nullable<Uuid>,
        property_id -> Nullable<Uuid>,
        username -> Text,
        name -> Text,
        phone -> Nullable<Text>,
        email -> Nullable<Text>,
        password_hash -> Text,
        password_changed_at -> Timestamptz,
        must_change_password -> Bool,
        enabled -> Bool,
        last_login_at -> Nullable<Timestamptz>,
        version -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        collective_id -> Nullable<Uuid>,
        department_id -> Nullable<Uuid>,
        post_id -> Nullable<Uuid>,
    }
}

diesel::table! {
    write_probe (id) {
        id -> Bool,
        written_at -> Timestamptz,
    }
}

diesel::joinable!(areas -> properties (property_id));
diesel::joinable!(areas -> providers (provider_id));
diesel::joinable!(areas -> stations (station_id));
diesel::joinable!(car_orders -> areas (area_id));
diesel::joinable!(car_orders -> chargers (charger_id));
diesel::joinable!(car_orders -> connectors (connector_id));
diesel::joinable!(car_orders -> drivers (driver_id));
diesel::joinable!(car_orders -> properties (property_id));
diesel::joinable!(car_orders -> providers (provider_id));
diesel::joinable!(car_orders -> reservations (reservation_id));
diesel::joinable!(car_orders -> stations (station_id));
diesel::joinable!(card_product_stations -> card_products (product_id));
diesel::joinable!(card_product_stations -> stations (station_id));
diesel::joinable!(card_products -> properties (property_id));
diesel::joinable!(card_products -> providers (provider_id));
diesel::joinable!(cards -> card_products (product_id));
diesel::joinable!(cards -> collectives (collective_id));
diesel::joinable!(cards -> drivers (driver_id));
diesel::joinable!(cards -> properties (property_id));
diesel::joinable!(cards -> providers (provider_id));
diesel::joinable!(charge_sessions -> car_orders (order_id));
diesel::joinable!(charge_sessions -> tariff_versions (tariff_version_id));
diesel::joinable!(charger_states -> chargers (charger_id));
diesel::joinable!(chargers -> areas (area_id));
diesel::joinable!(chargers -> properties (property_id));
diesel::joinable!(chargers -> providers (provider_id));
diesel::joinable!(chargers -> stations (station_id));
diesel::joinable!(collectives -> properties (property_id));
diesel::joinable!(collectives -> providers (provider_id));
diesel::joinable!(connection_records -> properties (property_id));
diesel::joinable!(connection_records -> providers (provider_id));
diesel::joinable!(connection_records -> stations (station_id));
diesel::joinable!(connectors -> areas (area_id));
diesel::joinable!(connectors -> chargers (charger_id));
diesel::joinable!(connectors -> properties (property_id));
diesel::joinable!(connectors -> providers (provider_id));
diesel::joinable!(connectors -> stations (station_id));
diesel::joinable!(departments -> collectives (collective_id));
diesel::joinable!(departments -> properties (property_id));
diesel::joinable!(departments -> providers (provider_id));
diesel::joinable!(device_commands -> properties (property_id));
diesel::joinable!(device_commands -> providers (provider_id));
diesel::joinable!(device_commands -> stations (station_id));
diesel::joinable!(device_transactions -> chargers (charger_id));
diesel::joinable!(driver_totals -> drivers (driver_id));
diesel::joinable!(driver_visits -> drivers (driver_id));
diesel::joinable!(driver_visits -> properties (property_id));
diesel::joinable!(driver_visits -> providers (provider_id));
diesel::joinable!(driver_visits -> stations (station_id));
diesel::joinable!(invoice_files -> invoices (invoice_id));
diesel::joinable!(invoice_orders -> car_orders (order_id));
diesel::joinable!(invoice_orders -> invoices (invoice_id));
diesel::joinable!(invoices -> drivers (driver_id));
diesel::joinable!(invoices -> properties (property_id));
diesel::joinable!(invoices -> providers (provider_id));
diesel::joinable!(invoices -> stations (station_id));
diesel::joinable!(ledger_entries -> ledger_accounts (account_id));
diesel::joinable!(ledger_entries -> ledger_transactions (transaction_id));
diesel::joinable!(meter_readings -> car_orders (order_id));
diesel::joinable!(order_days -> properties (property_id));
diesel::joinable!(order_days -> providers (provider_id));
diesel::joinable!(order_days -> stations (station_id));
diesel::joinable!(payments -> drivers (driver_id));
diesel::joinable!(payments -> properties (property_id));
diesel::joinable!(payments -> providers (provider_id));
diesel::joinable!(payments -> stations (station_id));
diesel::joinable!(posts -> collectives (collective_id));
diesel::joinable!(posts -> departments (department_id));
diesel::joinable!(posts -> properties (property_id));
diesel::joinable!(posts -> providers (provider_id));
diesel::joinable!(properties -> providers (provider_id));
diesel::joinable!(refunds -> payments (payment_id));
diesel::joinable!(refunds -> properties (property_id));
diesel::joinable!(refunds -> providers (provider_id));
diesel::joinable!(refunds -> stations (station_id));
diesel::joinable!(reservations -> areas (area_id));
diesel::joinable!(reservations -> chargers (charger_id));
diesel::joinable!(reservations -> connectors (connector_id));
diesel::joinable!(reservations -> drivers (driver_id));
diesel::joinable!(reservations -> properties (property_id));
diesel::joinable!(reservations -> providers (provider_id));
diesel::joinable!(reservations -> stations (station_id));
diesel::joinable!(roles -> collectives (collective_id));
diesel::joinable!(roles -> properties (property_id));
diesel::joinable!(roles -> providers (provider_id));
diesel::joinable!(sessions -> drivers (driver_id));
diesel::joinable!(sessions -> users (user_id));
diesel::joinable!(stations -> properties (property_id));
diesel::joinable!(stations -> providers (provider_id));
diesel::joinable!(tariff_versions -> tariffs (tariff_id));
diesel::joinable!(tariffs -> areas (area_id));
diesel::joinable!(tariffs -> properties (property_id));
diesel::joinable!(tariffs -> providers (provider_id));
diesel::joinable!(tariffs -> stations (station_id));
diesel::joinable!(user_roles -> roles (role_id));
diesel::joinable!(user_roles -> users (user_id));
diesel::joinable!(user_stations -> stations (station_id));
diesel::joinable!(user_stations -> users (user_id));
diesel::joinable!(users -> collectives (collective_id));
diesel::joinable!(users -> departments (department_id));
diesel::joinable!(users -> posts (post_id));
diesel::joinable!(users -> properties (property_id));
diesel::joinable!(users -> providers (provider_id));
diesel::allow_tables_to_appear_in_same_query!(
    areas,
    audits,
    car_orders,
    card_product_stations,
    card_products,
    cards,
    charge_sessions,
    charger_states,
    chargers,
    code_counts,
    collectives,
    connection_records,
    connectors,
    departments,
    device_commands,
    device_frames,
    device_transactions,
    driver_totals,
    driver_visits,
    drivers,
    idempotency_keys,
    inbox,
    inbox_rejected,
    invoice_files,
    invoice_orders,
    invoices,
    jobs,
    ledger_accounts,
    ledger_entries,
    ledger_transactions,
    login_codes,
    login_records,
    login_tries,
    meter_readings,
    order_days,
    order_events,
    payments,
    posts,
    properties,
    providers,
    refunds,
    reservations,
    roles,
    secrets,
    sessions,
    settings,
    stations,
    tariff_versions,
    tariffs,
    unknown_devices,
    user_roles,
    user_stations,
    users,
    write_probe
);
